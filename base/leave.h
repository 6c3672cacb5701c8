#ifndef BASE_LEAVE_H
#define BASE_LEAVE_H

/*
 * The end of a forked process: _exit(), since what its parent registered with atexit()
 * or has left in stdio's buffers is not the child's to run or to write.
 *
 * What tools of a build do at exit() would never be done then, so it is done here: a
 * coverage build writes its counters, an address sanitizer's looks for leaks. In any
 * other build this is _exit() and nothing else.
 */

/* Any thread, but not a signal handler. */
void leave_process(int status) __attribute__((noreturn));

/*
 * After a change of uid the kernel lets nobody look into a process (PR_SET_DUMPABLE,
 * prctl(2)), the leak checker neither. Lets it where there is one; else nothing.
 */
void leave_allow_checks(void);

#endif
