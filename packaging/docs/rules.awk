# Prints the output of packaging/rules as Doxygen reads it: plain text, except for headings and
# code.
/^    / { if (!in_code) print "```c"; in_code = 1; print substr($0, 5); next }
in_code { print "```"; in_code = 0 }
/^## / { print "## " text(substr($0, 4)); next }
{ print text($0) }
END { if (in_code) print "```" }
