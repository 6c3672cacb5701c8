# SPDX-License-Identifier: MIT
# The libraries of this project. The message for a missing one names its Debian package;
# scripts/install-deps installs them all.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(need_pkg target module package)
	pkg_check_modules(${target} IMPORTED_TARGET GLOBAL ${module})
	if(NOT ${target}_FOUND)
		message(FATAL_ERROR "${module} was not found. Install it: "
			"apt-get install ${package} (or run scripts/install-deps).")
	endif()
endfunction()

need_pkg(MNL libmnl libmnl-dev)
need_pkg(SQLITE3 sqlite3 libsqlite3-dev)
need_pkg(CAIRO cairo-svg libcairo2-dev)
need_pkg(CURL libcurl libcurl4-openssl-dev)
need_pkg(JANSSON jansson libjansson-dev)
need_pkg(CAPNG libcap-ng libcap-ng-dev)
need_pkg(SECCOMP libseccomp libseccomp-dev)
if(MTUSWEEP_TESTS)
	need_pkg(CMOCKA cmocka libcmocka-dev)
endif()

# libiperf and Debian's civetweb have no reliable .pc file.
function(need_library target header library package)
	string(TOUPPER ${target} upper)
	find_path(${upper}_INCLUDE_DIR ${header})
	find_library(${upper}_LIBRARY ${library})
	if(NOT ${upper}_INCLUDE_DIR OR NOT ${upper}_LIBRARY)
		message(FATAL_ERROR "${library} (${header}) was not found. Install it: "
			"apt-get install ${package} (or run scripts/install-deps).")
	endif()
	add_library(${target} UNKNOWN IMPORTED GLOBAL)
	set_target_properties(${target} PROPERTIES
		IMPORTED_LOCATION ${${upper}_LIBRARY}
		INTERFACE_INCLUDE_DIRECTORIES ${${upper}_INCLUDE_DIR})
endfunction()

need_library(iperf iperf_api.h libiperf.so libiperf-dev)
need_library(civetweb civetweb.h civetweb libcivetweb-dev)
