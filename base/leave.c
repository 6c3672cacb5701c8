#include "base/leave.h"

#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#include <sys/prctl.h>
#endif

#ifdef MTUSWEEP_COVERAGE
void __gcov_dump(void);
#endif

void leave_process(int status)
{
#ifdef MTUSWEEP_COVERAGE
	__gcov_dump();
#endif
#ifdef __SANITIZE_ADDRESS__
	__lsan_do_leak_check();
#endif
	_exit(status);
}

void leave_allow_checks(void)
{
#ifdef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#endif
}
