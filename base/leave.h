/* SPDX-License-Identifier: MIT */
#ifndef BASE_LEAVE_H
#define BASE_LEAVE_H

/*
 * The end of a forked process: _exit(). The child must not run its parent's atexit()
 * functions, nor write what its parent left in stdio's buffers.
 *
 * _exit() also skips the work that instrumented builds do at exit(), so it is done
 * here: a coverage build writes its counters, and an address sanitizer's build looks
 * for leaks. In any other build this is _exit() alone.
 */

/* Any thread, but not a signal handler. */
void leave_process(int status) __attribute__((noreturn));

/*
 * After a change of uid the kernel refuses every inspection of a process, also the leak
 * checker's (PR_SET_DUMPABLE, prctl(2)). Permit it in a build with a leak checker; in
 * any other, do nothing.
 */
void leave_allow_checks(void);

#endif
