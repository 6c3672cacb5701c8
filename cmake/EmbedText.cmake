# SPDX-License-Identifier: MIT
# Turn a text file into a C file that holds it as a string constant:
#   cmake -DINPUT=a.sql -DOUTPUT=a.c -DHEADER=folder/a.h -DNAME=a_sql -P EmbedText.cmake
# HEADER declares it: extern const char NAME[];

file(READ "${INPUT}" text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
file(WRITE "${OUTPUT}" "#include \"${HEADER}\"\n\nconst char ${NAME}[] =\n\t\"${text}\";\n")
