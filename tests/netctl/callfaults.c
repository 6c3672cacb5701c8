/* SPDX-License-Identifier: MIT */
/* A child in which one system call fails. */
#include "callfaults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

#define PATIENCE_MS 20000

/* Let a call pass unseen. */
#define PASS(call)                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* A sanitizer gives up where it gets no memory. */
#ifdef SANITIZED
#define PASS_MEMORY PASS(__NR_mmap), PASS(__NR_munmap), PASS(__NR_madvise),
#else
#define PASS_MEMORY
#endif

static void ask_about_calls(_Atomic int *ret_listener)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		PASS(__NR_exit_group),
		PASS(__NR_rt_sigreturn),
		PASS_MEMORY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog filter = {sizeof(steps) / sizeof(steps[0]), steps};
	/* The listener takes the lowest free number. A call that tells it would have to
	 * be answered before it is told. */
	int number = dup(STDIN_FILENO);

	close(number);
	*ret_listener = number;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter) != number)
		_exit(120);
}

static int take_listener(pid_t pid, const _Atomic int *number)
{
	cleanup_fd int pidfd = (int)syscall(__NR_pidfd_open, pid, 0);
	int64_t deadline = clock_boot_ms() + PATIENCE_MS;
	int fd = -1;

	assert_true(pidfd >= 0);
	while (fd < 0 && clock_boot_ms() < deadline) {
		fd = *number < 0 ? -1
				 : (int)syscall(__NR_pidfd_getfd, pidfd, *number, 0);
		if (fd < 0)
			clock_pause_us(50);
	}
	assert_true(fd >= 0);
	return fd;
}

/* Answer one call of the child. */
static void answer_call(struct callfaults *faults, int listener)
{
	struct seccomp_notif asked;
	struct seccomp_notif_resp answer;

	memset(&asked, 0, sizeof(asked));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return;
	memset(&answer, 0, sizeof(answer));
	answer.id = asked.id;
	answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (++faults->made == faults->fail_at) {
		faults->failed = asked.data.nr;
		answer.flags = 0;
		answer.error = -faults->error;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static bool answer_until_end(struct callfaults *faults, int listener)
{
	int64_t deadline = clock_boot_ms() + PATIENCE_MS;
	struct pollfd polled = {.fd = listener, .events = POLLIN};

	while (clock_boot_ms() < deadline) {
		if (poll(&polled, 1, clock_left_ms(deadline)) < 0)
			continue;
		if (polled.revents & POLLIN)
			answer_call(faults, listener);
		else if (polled.revents & POLLHUP)
			return true;
	}
	return false;
}

bool callfaults_run(struct callfaults *faults, void (*body)(void))
{
	_Atomic int *number = mmap(NULL, sizeof(*number), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cleanup_fd int listener = -1;
	int status;
	bool ended;
	pid_t pid;

	assert_ptr_not_equal(number, MAP_FAILED);
	*number = -1;
	faults->made = 0;
	faults->failed = -1;
	pid = fork();
	if (pid == 0) {
		ask_about_calls(number);
		body();
		_exit(121);
	}
	listener = take_listener(pid, number);
	ended = answer_until_end(faults, listener);
	if (!ended)
		kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	faults->status = WIFEXITED(status) ? WEXITSTATUS(status)
					   : 128 + WTERMSIG(status);
	munmap(number, sizeof(*number));
	return ended;
}
