# SPDX-License-Identifier: MIT
# The layers and their dependencies (docs/architecture.md). Each folder is one static
# library. Its sources see its own headers, base's, and those of the folders in its
# USES. Any other include does not compile, and any other call does not link.

set(MTUSWEEP_WARNINGS -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wswitch-enum
	-Wformat=2 -Wstrict-prototypes -Wpointer-arith -Wundef)
if(MTUSWEEP_WERROR)
	list(APPEND MTUSWEEP_WARNINGS -Werror)
endif()

add_library(mtusweep_flags INTERFACE)
target_compile_options(mtusweep_flags INTERFACE ${MTUSWEEP_WARNINGS}
	-fstack-protector-strong
	$<$<CONFIG:Debug>:-Og>
	$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
target_compile_definitions(mtusweep_flags INTERFACE _GNU_SOURCE
	MTUSWEEP_VERSION="${PROJECT_VERSION}")
target_link_options(mtusweep_flags INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
if(MTUSWEEP_STATIC)
	target_compile_options(mtusweep_flags INTERFACE -ffunction-sections -fdata-sections)
	target_link_options(mtusweep_flags INTERFACE -static -Wl,--gc-sections)
endif()
if(MTUSWEEP_SANITIZE)
	target_compile_options(mtusweep_flags INTERFACE
		-fsanitize=${MTUSWEEP_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	target_link_options(mtusweep_flags INTERFACE -fsanitize=${MTUSWEEP_SANITIZE})
	# With gcc, libubsan.so beside libasan.so writes to stderr, whatever
	# UBSAN_OPTIONS says; tests/reports.sh needs it to obey.
	if(CMAKE_C_COMPILER_ID STREQUAL GNU AND MTUSWEEP_SANITIZE MATCHES address)
		target_link_options(mtusweep_flags INTERFACE
			-static-libasan -static-libubsan)
	endif()
endif()

# Several threads count, so updates are atomic. leave_process() writes the counters of a
# process that does not call exit(); gcc would write them at each fork.
if(MTUSWEEP_COVERAGE)
	set(MTUSWEEP_COUNTED --coverage -fprofile-update=atomic -fno-builtin-fork)
	target_compile_definitions(mtusweep_flags INTERFACE MTUSWEEP_COVERAGE)
	target_link_options(mtusweep_flags INTERFACE --coverage)
endif()

if(MTUSWEEP_FUZZ)
	target_compile_options(mtusweep_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# add_layer(FOLDER SOURCES a.c b.c [USES base] [LIBS PkgConfig::MNL]): the target of folder
# a/b is a_b.
function(add_layer folder)
	cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBS" ${ARGN})
	string(REPLACE / _ name ${folder})
	set(root ${PROJECT_BINARY_DIR}/include/${name})
	cmake_path(GET folder PARENT_PATH above)
	file(MAKE_DIRECTORY ${root}/${above})
	file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${root}/${folder} SYMBOLIC)
	add_library(${name} STATIC ${ARG_SOURCES})
	target_include_directories(${name} PUBLIC ${root})
	target_compile_options(${name} PRIVATE ${MTUSWEEP_COUNTED})
	target_link_libraries(${name} PUBLIC mtusweep_flags ${ARG_USES} PRIVATE ${ARG_LIBS})
endfunction()
