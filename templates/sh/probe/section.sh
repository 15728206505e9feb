# shellcheck shell=sh
# What is asked in the C locale, so that ${#x} counts bytes.
export LC_ALL=C
# kdiy_section NAME TEXT: one answer, with its length.
kdiy_section() { printf '@%s %d\n%s\n' "$1" "${#2}" "$2"; }
# kdiy_answer NAME: what kdiy_question prints is the answer.
kdiy_answer() { kdiy_section "$1" "$(kdiy_question)"; }
