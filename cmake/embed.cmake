# Turns a file into a C source with its bytes: NAME_text, NAME_length (cmake -DINPUT= -DOUTPUT= -DNAME= -P embed.cmake).
# SPDX-License-Identifier: BSD-3-Clause
file(READ "${INPUT}" bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR length "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],)(0x[0-9a-f][0-9a-f],))" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}"
     "#include <stddef.h>\nextern const unsigned char ${NAME}_text[];\nextern const size_t ${NAME}_length;\n"
     "const unsigned char ${NAME}_text[] = {\n${bytes}0};\nconst size_t ${NAME}_length = ${length};\n")
