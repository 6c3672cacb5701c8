# SPDX-License-Identifier: MIT
# The libraries that the programs are linked with: the one list of them, from which
# scripts/release makes the SBOM too. A message for a missing one names its Debian package;
# scripts/install-deps installs them all.
#
# MTUSWEEP_SYSTEM_LIBS=OFF: libiperf and civetweb are those below MTUSWEEP_LIBS_PREFIX,
# static ones if there are any, and so are others that have a .pc file there.

option(MTUSWEEP_SYSTEM_LIBS "Use the system's libiperf and civetweb" ON)
set(MTUSWEEP_LIBS_PREFIX "" CACHE PATH "Folder of other ones, with include/ and lib/")
option(MTUSWEEP_STATIC "Link programs that need no library at run time" OFF)

if(MTUSWEEP_SYSTEM_LIBS AND MTUSWEEP_LIBS_PREFIX)
	message(FATAL_ERROR "MTUSWEEP_LIBS_PREFIX is for MTUSWEEP_SYSTEM_LIBS=OFF.")
elseif(NOT MTUSWEEP_SYSTEM_LIBS)
	if(NOT IS_DIRECTORY "${MTUSWEEP_LIBS_PREFIX}/include")
		message(FATAL_ERROR "MTUSWEEP_SYSTEM_LIBS=OFF needs MTUSWEEP_LIBS_PREFIX: "
			"a folder with include/ and lib/ of libiperf and civetweb, "
			"not '${MTUSWEEP_LIBS_PREFIX}'. scripts/build-libs makes one.")
	endif()
	list(PREPEND CMAKE_PREFIX_PATH ${MTUSWEEP_LIBS_PREFIX})
endif()
if(MTUSWEEP_STATIC)
	set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()

# Libraries that an earlier configure found elsewhere do not count.
if(NOT "${MTUSWEEP_LIBS_PREFIX}" STREQUAL "${MTUSWEEP_LIBS_PREFIX_BEFORE}")
	foreach(name IPERF CIVETWEB)
		unset(${name}_LIBRARY CACHE)
		unset(${name}_INCLUDE_DIR CACHE)
	endforeach()
endif()
set(MTUSWEEP_LIBS_PREFIX_BEFORE "${MTUSWEEP_LIBS_PREFIX}" CACHE INTERNAL "")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
set(MTUSWEEP_LIBRARIES)

function(refuse_missing what package)
	if(MTUSWEEP_SYSTEM_LIBS)
		message(FATAL_ERROR "${what} was not found. Install it: "
			"apt-get install ${package} (or run scripts/install-deps).")
	endif()
	message(FATAL_ERROR "${what} was not found below ${MTUSWEEP_LIBS_PREFIX}.")
endfunction()

# Remember a library that was found, for the SBOM.
function(note_library name version)
	cmake_parse_arguments(ARG "" "LICENCE;ORIGIN" "" ${ARGN})
	if(NOT ARG_LICENCE OR NOT ARG_ORIGIN)
		message(FATAL_ERROR "${name} has no LICENCE or ORIGIN")
	endif()
	list(APPEND MTUSWEEP_LIBRARIES
		"${name}\t${version}\t${ARG_LICENCE}\t${ARG_ORIGIN}")
	set(MTUSWEEP_LIBRARIES ${MTUSWEEP_LIBRARIES} PARENT_SCOPE)
endfunction()

# need_pkg(TARGET MODULE PACKAGE LICENCE spdx ORIGIN purl): PkgConfig::TARGET. MODULE may
# have a version, as in libmnl>=1.0.4. LICENCE is an SPDX expression, ORIGIN a package URL
# without a version.
function(need_pkg target module package)
	pkg_check_modules(${target} IMPORTED_TARGET GLOBAL ${module})
	if(NOT ${target}_FOUND)
		refuse_missing(${module} ${package})
	endif()
	if(MTUSWEEP_STATIC)
		target_link_directories(PkgConfig::${target} INTERFACE
			${${target}_STATIC_LIBRARY_DIRS})
		target_link_libraries(PkgConfig::${target} INTERFACE
			${${target}_STATIC_LIBRARIES})
	endif()
	note_library(${${target}_MODULE_NAME} ${${target}_VERSION} ${ARGN})
	set(MTUSWEEP_LIBRARIES ${MTUSWEEP_LIBRARIES} PARENT_SCOPE)
endfunction()

# need_library(TARGET HEADER PACKAGE VERSION_IN header|library REGEX LEAST version
# [HINT text] LICENCE spdx ORIGIN purl): a library without a reliable .pc file, as TARGET.
# Its version is what REGEX has in parentheses, in the header or in the library.
function(need_library target header package)
	cmake_parse_arguments(ARG "" "LEAST;HINT;LICENCE;ORIGIN" "VERSION_IN" ${ARGN})
	string(TOUPPER ${target} upper)
	set(where)
	if(NOT MTUSWEEP_SYSTEM_LIBS)
		set(where PATHS ${MTUSWEEP_LIBS_PREFIX} PATH_SUFFIXES include lib
			NO_DEFAULT_PATH)
	endif()
	find_path(${upper}_INCLUDE_DIR ${header} ${where})
	if(MTUSWEEP_SYSTEM_LIBS)
		find_library(${upper}_LIBRARY ${target})
	else()
		find_library(${upper}_LIBRARY NAMES lib${target}.a ${target} ${where})
	endif()
	if(NOT ${upper}_INCLUDE_DIR OR NOT ${upper}_LIBRARY)
		refuse_missing("lib${target} (${header})" ${package})
	endif()

	list(POP_FRONT ARG_VERSION_IN kind regex)
	set(header ${${upper}_INCLUDE_DIR}/${header})
	set(library ${${upper}_LIBRARY})
	file(STRINGS ${${kind}} lines REGEX ${regex})
	set(version)
	if(lines MATCHES ${regex})
		set(version ${CMAKE_MATCH_1})
	endif()
	if(NOT version OR version VERSION_LESS ARG_LEAST)
		if(NOT version)
			set(version "of unknown version")
		endif()
		message(FATAL_ERROR "lib${target} ${ARG_LEAST} or newer is needed, found "
			"lib${target} ${version}: ${library}. ${ARG_HINT} "
			"Build it from its source and give its folder with "
			"-DMTUSWEEP_SYSTEM_LIBS=OFF -DMTUSWEEP_LIBS_PREFIX=FOLDER, "
			"or use the static programs (docs/running.md).")
	endif()

	add_library(${target} UNKNOWN IMPORTED GLOBAL)
	set_target_properties(${target} PROPERTIES
		IMPORTED_LOCATION ${library}
		INTERFACE_INCLUDE_DIRECTORIES ${${upper}_INCLUDE_DIR})
	note_library(lib${target} ${version} LICENCE ${ARG_LICENCE} ORIGIN ${ARG_ORIGIN})
	set(MTUSWEEP_LIBRARIES ${MTUSWEEP_LIBRARIES} PARENT_SCOPE)
endfunction()

need_library(iperf iperf_api.h libiperf-dev LEAST 3.12
	HINT "Debian 12 and Ubuntu 24.04 have it, Debian 11 and Ubuntu 22.04 have 3.9."
	VERSION_IN library "^iperf ([0-9]+\\.[0-9.]+)"
	LICENCE BSD-3-Clause-LBNL ORIGIN pkg:github/esnet/iperf)
need_library(civetweb civetweb.h libcivetweb-dev LEAST 1.15
	VERSION_IN header "CIVETWEB_VERSION \"([0-9.]+)"
	LICENCE MIT ORIGIN pkg:github/civetweb/civetweb)
need_pkg(MNL libmnl>=1.0.4 libmnl-dev
	LICENCE LGPL-2.1-or-later ORIGIN pkg:generic/libmnl)
need_pkg(SQLITE3 sqlite3 libsqlite3-dev
	LICENCE blessing ORIGIN pkg:generic/sqlite)
if(MTUSWEEP_READER)
	need_pkg(CAIRO cairo-svg libcairo2-dev
		LICENCE "LGPL-2.1-only OR MPL-1.1" ORIGIN pkg:generic/cairo)
endif()
need_pkg(CURL libcurl libcurl4-openssl-dev
	LICENCE curl ORIGIN pkg:github/curl/curl)
need_pkg(JANSSON jansson libjansson-dev
	LICENCE MIT ORIGIN pkg:github/akheron/jansson)
need_pkg(CAPNG libcap-ng libcap-ng-dev
	LICENCE LGPL-2.1-or-later ORIGIN pkg:github/stevegrubb/libcap-ng)
need_pkg(SECCOMP libseccomp libseccomp-dev
	LICENCE LGPL-2.1-only ORIGIN pkg:github/seccomp/libseccomp)

list(JOIN MTUSWEEP_LIBRARIES "\n" text)
file(WRITE ${PROJECT_BINARY_DIR}/libraries.txt "${text}\n")

# The tests' own, which no program is linked with.
if(MTUSWEEP_TESTS)
	pkg_check_modules(CMOCKA IMPORTED_TARGET GLOBAL cmocka)
	if(NOT CMOCKA_FOUND)
		refuse_missing(cmocka libcmocka-dev)
	endif()
endif()
