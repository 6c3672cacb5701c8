/* SPDX-License-Identifier: MIT */
#ifndef REPORT_READY_H
#define REPORT_READY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Ready text that sets a recommended MTU where mtusweep does not write it itself, or clamps
 * the MSS of TCP to it. Each format is checked against the documentation of its system;
 * docs/ready-text.md names the sources, and tests compare its list with this one.
 *
 * X(FORMAT, name, text): @interface@, @mtu@, @mss4@ and @mss6@ stand for the values of
 * struct ready. '#' begins a comment in all of them. A line with @mss6@ is omitted where
 * the MTU is too small for IPv6.
 */
/* clang-format off */
#define READY_FORMATS(X) \
	X(WG_QUICK, "wg-quick", \
	  "# /etc/wireguard/@interface@.conf, in its section [Interface], in place of\n" \
	  "# any line MTU; then: wg-quick down @interface@ && wg-quick up @interface@\n" \
	  "[Interface]\n" \
	  "MTU = @mtu@\n") \
	X(NETWORKD, "networkd", \
	  "# a drop-in of the interface's .network file, which is the Network File in\n" \
	  "# networkctl status @interface@\n" \
	  "# for @interface@.network:\n" \
	  "# /etc/systemd/network/@interface@.network.d/90-mtu.conf\n" \
	  "# then: networkctl reload && networkctl reconfigure @interface@\n" \
	  "[Link]\n" \
	  "MTUBytes=@mtu@\n") \
	X(NETWORKMANAGER, "networkmanager", \
	  "# commands; @interface@ is the connection's name in 'nmcli connection show'\n" \
	  "nmcli connection modify @interface@ wireguard.mtu @mtu@\n" \
	  "nmcli connection up @interface@\n") \
	X(NETPLAN, "netplan", \
	  "# /etc/netplan/90-mtusweep.yaml, mode 600, beside the file that defines the\n" \
	  "# tunnel; then: netplan try\n" \
	  "network:\n" \
	  "  version: 2\n" \
	  "  tunnels:\n" \
	  "    @interface@:\n" \
	  "      mtu: @mtu@\n") \
	X(UCI, "uci", \
	  "# commands for OpenWrt; the section in /etc/config/network has the\n" \
	  "# interface's name\n" \
	  "uci set network.@interface@.mtu='@mtu@'\n" \
	  "uci commit network\n" \
	  "ifup @interface@\n") \
	X(ROUTEROS, "routeros", \
	  "# a command of RouterOS 7\n" \
	  "/interface/wireguard/set @interface@ mtu=@mtu@\n") \
	X(WINDOWS, "windows", \
	  "# WireGuard for Windows: Edit, in the section [Interface], in place of any\n" \
	  "# line MTU; without that line the app follows the default route's MTU\n" \
	  "[Interface]\n" \
	  "MTU = @mtu@\n") \
	X(ANDROID_QR, "android-qr", \
	  "# WireGuard for Android: the field MTU of the tunnel, or a QR code of its\n" \
	  "# whole file, since the app takes no part of one. In the file's section\n" \
	  "# [Interface], in place of any line MTU:\n" \
	  "[Interface]\n" \
	  "MTU = @mtu@\n" \
	  "# then, on a screen that nobody else sees (the code holds the private key):\n" \
	  "# qrencode -t ansiutf8 <@interface@.conf\n" \
	  "# and in the app: the plus sign, 'Scan from QR code'\n") \
	X(NFT, "nft", \
	  "# a file for nft -f: clamps the MSS of TCP to the smaller MTU of both ends,\n" \
	  "# and changes no MTU; to remove it: nft delete table inet mtusweep_mss\n" \
	  "table inet mtusweep_mss\n" \
	  "delete table inet mtusweep_mss\n" \
	  "table inet mtusweep_mss {\n" \
	  "\tchain in {\n" \
	  "\t\ttype filter hook prerouting priority mangle;\n" \
	  "\t\tiifname \"@interface@\" meta nfproto ipv4 tcp flags syn " \
	  "tcp option maxseg size set @mss4@\n" \
	  "\t\tiifname \"@interface@\" meta nfproto ipv6 tcp flags syn " \
	  "tcp option maxseg size set @mss6@\n" \
	  "\t}\n" \
	  "\tchain out {\n" \
	  "\t\ttype filter hook postrouting priority mangle;\n" \
	  "\t\toifname \"@interface@\" meta nfproto ipv4 tcp flags syn " \
	  "tcp option maxseg size set @mss4@\n" \
	  "\t\toifname \"@interface@\" meta nfproto ipv6 tcp flags syn " \
	  "tcp option maxseg size set @mss6@\n" \
	  "\t}\n" \
	  "}\n") \
	X(IPTABLES, "iptables", \
	  "# commands: they clamp the MSS of TCP to the smaller MTU of both ends until\n" \
	  "# the next boot, and change no MTU; to remove them: the same with -D in\n" \
	  "# place of -A\n" \
	  "iptables -t mangle -A PREROUTING -i @interface@ -p tcp " \
	  "--tcp-flags SYN,RST SYN -j TCPMSS --set-mss @mss4@\n" \
	  "iptables -t mangle -A POSTROUTING -o @interface@ -p tcp " \
	  "--tcp-flags SYN,RST SYN -j TCPMSS --set-mss @mss4@\n" \
	  "ip6tables -t mangle -A PREROUTING -i @interface@ -p tcp " \
	  "--tcp-flags SYN,RST SYN -j TCPMSS --set-mss @mss6@\n" \
	  "ip6tables -t mangle -A POSTROUTING -o @interface@ -p tcp " \
	  "--tcp-flags SYN,RST SYN -j TCPMSS --set-mss @mss6@\n")
/* clang-format on */

enum ready_format {
#define READY_ENUM(format, ...) READY_##format,
	READY_FORMATS(READY_ENUM)
#undef READY_ENUM
		READY_FORMAT_COUNT,
};

/* "wg-quick", ...; the last is NULL. */
extern const char *const ready_names[];

struct ready {
	int64_t run;      /* 0: none, and `host` is this one */
	const char *end;  /* "server" or "peer": whose MTU */
	const char *host; /* its name; "": unknown */
	const char *interface;
	int mtu;           /* to set */
	int far_mtu;       /* the other end's; 0: unknown */
	const char *proof; /* how far the pair is proved, in a few words; may be "" */
	int peers;         /* WireGuard peers of a hub's interface, if known; else 0 */
};

/* True if the system takes the name as it is: text_is_plain_name(), up to 32 characters;
 * OpenWrt has letters, digits and '_' only. */
bool ready_takes_name(enum ready_format format, const char *interface);

/* Print the text, with a comment that says what it is for. The interface's name must pass
 * ready_takes_name(). The caller finds errors of `out` with ferror(). */
void ready_print(FILE *out, enum ready_format format, const struct ready *ready);

/* The same into a fresh string, for a system of ready_names. NULL: there is none of this
 * name, it does not take the interface's name, or memory is short. */
char *ready_text(const char *system, const struct ready *ready);

#endif
