/* SPDX-License-Identifier: MIT */
#include "engine/recommend_evidence.h"

#include <math.h>

static int64_t round_below(double value, int64_t max)
{
	return value < (double)max ? llround(value) : max;
}

static int64_t ratio_permille(double ratio)
{
	return round_below(1000 / ratio, EVIDENCE_RATIO_MAX);
}

static void find_figures(const struct recommendation *v, enum direction dir,
			 struct evidence_dir *ret)
{
	const struct estimate *now = &v->current.bps[dir];
	const struct estimate *then = &v->recommended.bps[dir];
	/* From the current pair to the recommended one. */
	const struct estimate *e = &v->current.relative[dir];

	if (then->count > 0) {
		ret->bps = round_below(then->value, EVIDENCE_RATE_MAX);
		ret->low_bps = round_below(then->low, EVIDENCE_RATE_MAX);
		ret->high_bps = round_below(then->high, EVIDENCE_RATE_MAX);
	}
	if (v->current.mtu.server && now->count > 0)
		ret->current_bps = round_below(now->value, EVIDENCE_RATE_MAX);
	if (v->current.mtu.server && e->count > 0 && e->low > 0) {
		ret->ratio_permille = ratio_permille(e->value);
		ret->ratio_low_permille = ratio_permille(e->high);
		ret->ratio_high_permille = ratio_permille(e->low);
	}
}

/* --- warnings --- */

static struct warning warn_of_pair(enum warning_kind kind, const struct mtu_pair *mtu)
{
	return (struct warning){
		.kind = kind, .server_mtu = mtu->server, .peer_mtu = mtu->peer};
}

/* True when TCP works only because the other end's MTU keeps segments small: a segment
 * of the sender's own MTU would be lost. */
static bool mss_protects(const struct recommendation *v, enum direction dir)
{
	const struct mtu_pair *mtu = &v->current.mtu;
	int tx_mtu = mtu_pair_sender(mtu, dir);

	return path_bands_fate(&v->path.dir[dir], pathmodel_outer(&v->path, dir, tx_mtu,
								  tx_mtu)) == FATE_LOST;
}

/* The reason why TCP passes where other packets are lost. */
static enum warning_kind kind_of_losses(const struct recommendation *v,
					enum direction dir)
{
	if (v->current.predicted[dir].tcp == FATE_LOST)
		return WARNING_CLAMP_PROTECTS;
	return mss_protects(v, dir) ? WARNING_MSS_PROTECTS : WARNING_OTHERS_LOST;
}

/* Warn of the losses of the current pair in one direction. */
static void warn_of_losses(const struct recommendation *v, enum direction dir,
			   struct evidence *ret)
{
	const struct prediction *p = &v->current.predicted[dir];
	const struct prediction sent = recommend_current_tcp(v, dir);
	struct warning w = warn_of_pair(WARNING_TCP_LOST, &v->current.mtu);
	int lost[2];
	bool all;

	w.direction = dir;
	if (sent.tcp == FATE_LOST) {
		w.size_max = sent.tcp_outer;
		evidence_warn(ret, w);
		return;
	}
	if (p->routed != FATE_LOST ||
	    !pathmodel_sizes(&v->path, &v->current.mtu, dir, FATE_LOST, lost, &all))
		return;
	w.kind = kind_of_losses(v, dir);
	w.size_min = lost[0];
	w.size_max = lost[1];
	w.value = all;
	evidence_warn(ret, w);
}

static void warn_of_clamps(const struct recommendation *v, struct evidence *ret)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct warning w = {
			.kind = WARNING_CLAMPED,
			.direction = (enum direction)dir,
			.size_max = v->clamped[dir],
		};

		if (v->clamped[dir])
			evidence_warn(ret, w);
	}
}

static void warn_of_drift(const struct recommendation *v, struct evidence *ret)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct warning w = {
			.kind = WARNING_DRIFT,
			.direction = (enum direction)dir,
			.rate_percent = drift_percent(&v->drift[dir]),
		};

		if (v->drift[dir].beyond_noise)
			evidence_warn(ret, w);
	}
}

static void warn_of_latency(const struct recommendation *v, struct evidence *ret)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct latency_difference *l = &v->latency[dir];
		struct warning w = warn_of_pair(WARNING_LATENCY, &v->recommended.mtu);

		if (!l->mtu.server)
			continue;
		w.direction = (enum direction)dir;
		w.other_server_mtu = l->mtu.server;
		w.other_peer_mtu = l->mtu.peer;
		w.rtt_ms = lround(l->best_us / 1000);
		w.value = lround(l->us / 1000);
		evidence_warn(ret, w);
	}
}

/* A relay is at the sender, and an end that does not see is the receiver. */
static void warn_of_unseen(const struct recommendation *v, struct evidence *ret)
{
	if (v->path.relayed[DIR_DOWNLOAD])
		evidence_warn(ret, (struct warning){.kind = WARNING_RELAYED,
						    .at_end = WARNING_END_SERVER});
	if (v->path.relayed[DIR_UPLOAD])
		evidence_warn(ret, (struct warning){.kind = WARNING_RELAYED,
						    .at_end = WARNING_END_PEER});
	if (v->path.unseen[DIR_UPLOAD])
		evidence_warn(ret, (struct warning){.kind = WARNING_UNSEEN,
						    .at_end = WARNING_END_SERVER});
	if (v->path.unseen[DIR_DOWNLOAD])
		evidence_warn(ret, (struct warning){.kind = WARNING_UNSEEN,
						    .at_end = WARNING_END_PEER});
}

static struct warning warn_of_roaming(const struct recommendation *v)
{
	struct path longer = v->path;
	enum fate fate = FATE_WHOLE;

	for (int dir = 0; dir < DIR_COUNT; dir++)
		longer.overhead[dir] = PATH_OVERHEAD_IPV6;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		fate = pathmodel_worse(fate,
				       pathmodel_predict(&longer, &v->recommended.mtu,
							 (enum direction)dir)
					       .routed);
	return (struct warning){
		.kind = fate == FATE_UNKNOWN ? WARNING_ROAM_PERHAPS : WARNING_ROAM,
		.other_server_mtu = v->roam.server,
		.other_peer_mtu = v->roam.peer,
	};
}

static struct warning warn_of_smaller(const struct recommendation *v)
{
	bool without_ipv6 = v->whole.server < MTU_MIN_IPV6 ||
			    v->whole.peer < MTU_MIN_IPV6;

	return (struct warning){
		.kind = without_ipv6 ? WARNING_BELOW_MINIMUM : WARNING_BELOW_RANGE,
		.other_server_mtu = v->whole.server,
		.other_peer_mtu = v->whole.peer,
	};
}

/* A size whose probes were all unanswered does not count as probed. */
static bool was_probed(const struct path_survey *survey)
{
	return survey->probe_ms || survey->probes[DIR_UPLOAD] ||
	       survey->probes[DIR_DOWNLOAD];
}

static void find_warnings(const struct recommendation *v,
			  const struct path_survey *survey, struct evidence *ret)
{
	const struct mtu_pair *mtu = &v->recommended.mtu;

	if (v->warnings & RECOMMEND_WARN_UNSEEN)
		warn_of_unseen(v, ret);
	if (v->warnings & RECOMMEND_WARN_BELOW)
		evidence_warn(ret, warn_of_smaller(v));
	if (v->warnings & (RECOMMEND_WARN_DEAD_ZONE | RECOMMEND_WARN_ROUTED)) {
		warn_of_losses(v, DIR_UPLOAD, ret);
		warn_of_losses(v, DIR_DOWNLOAD, ret);
	}
	if (v->warnings & RECOMMEND_WARN_CLAMPED)
		warn_of_clamps(v, ret);
	if (v->warnings & RECOMMEND_WARN_UNREACHED)
		evidence_warn(ret, (struct warning){.kind = WARNING_UNREACHED,
						    .value = v->unreached});
	if (v->warnings & RECOMMEND_WARN_CONTRADICTED)
		evidence_warn(ret, warn_of_pair(v->contradiction_confirmed
							? WARNING_CONTRADICTED
							: WARNING_CONTRADICTED_ONCE,
						&v->contradicted));
	if (v->warnings & RECOMMEND_WARN_FILTERED)
		evidence_warn(ret,
			      (struct warning){.kind = was_probed(survey)
							       ? WARNING_UNANSWERED
							       : WARNING_NOT_PROBED});
	if (v->warnings & RECOMMEND_WARN_PROBES)
		evidence_warn(ret, (struct warning){.kind = WARNING_NOISY});
	if (v->warnings & RECOMMEND_WARN_DRIFT)
		warn_of_drift(v, ret);
	if (v->warnings & RECOMMEND_WARN_LATENCY)
		warn_of_latency(v, ret);
	if (v->warnings & RECOMMEND_WARN_MSS)
		evidence_warn(ret, (struct warning){.kind = WARNING_MSS,
						    .mtu = mtu->server < mtu->peer
								   ? mtu->server
								   : mtu->peer});
	if (v->warnings & RECOMMEND_WARN_ROAM)
		evidence_warn(ret, warn_of_roaming(v));
}

static enum evidence_status find_status(const struct recommendation *v)
{
	const struct estimate *bps = v->recommended.bps;

	/* Another pair's tests leave the chosen one as it is. */
	if (v->is_chosen ? v->chosen_fails : v->contradiction_confirmed)
		return EVIDENCE_CONTRADICTED;
	return bps[DIR_UPLOAD].value > 0 && bps[DIR_DOWNLOAD].value > 0
		       ? EVIDENCE_CONFIRMED
		       : EVIDENCE_PREDICTED;
}

void recommend_evidence(const struct recommendation *v,
			const struct path_survey *survey, struct evidence *ret)
{
	evidence_init(ret);
	ret->mtu = v->recommended.mtu;
	ret->status = find_status(v);
	ret->settled = v->settled;
	ret->reason = (struct reason){
		.kind = v->why,
		.margin = (int)lround(100 * v->margin),
		.visits = v->visits,
		.rival = v->rival,
	};
	ret->current = v->current.mtu;
	ret->survey = *survey;
	ret->survey.path = v->path;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		find_figures(v, (enum direction)dir, &ret->dir[dir]);
		ret->dir[dir].guessed = v->guessed[dir];
	}
	find_warnings(v, survey, ret);
}
