# SPDX-License-Identifier: MIT
# Turn a text file, or a list of them one after another, into a C file that holds it as a
# string constant:
#   cmake -DINPUT=a.sql -DOUTPUT=a.c -DHEADER=folder/a.h -DNAME=a_sql -P EmbedText.cmake
# HEADER declares it: extern const char NAME[];

set(text "")
foreach(input IN LISTS INPUT)
	file(READ "${input}" part)
	string(APPEND text "${part}")
endforeach()
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
file(WRITE "${OUTPUT}" "#include \"${HEADER}\"\n\nconst char ${NAME}[] =\n\t\"${text}\";\n")
