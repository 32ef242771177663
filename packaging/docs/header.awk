# Prints the header as Doxygen reads it, line by line: each section becomes a group, and the parts
# of a comment get Doxygen commands. The part before the first section is left out: the comment at
# the top has its own page (packaging/rules).
function parameters(from,   i, code) {
  for (i = from; i <= lines && line[i] != ""; i++) { code = code " " line[i]; if (line[i] ~ /;$/) break }
  gsub(/[^A-Za-z0-9_]+/, " ", code)
  return code " "
}
# Returns one line of a comment, without the comment characters.
function said(words) {
  if (words == "") { fresh = 1; listed = 0; return "" }
  if ((fresh || listed) && match(words, /^[a-z_0-9]+: /) && index(names, " " substr(words, 1, RLENGTH - 2) " ")) {
    listed = 1; begun = 1; fresh = 0
    return "@param " substr(words, 1, RLENGTH - 2) " " text(substr(words, RLENGTH + 1))
  }
  if (words !~ /^ /) listed = 0
  # The first paragraph is the description, whatever its first words are.
  if (fresh && begun) {
    if (sub(/^Returns /, "", words)) return paragraph("@return ", words)
    if (words ~ /^Since [0-9.]+\.$/) { sub(/^Since /, "", words); return paragraph("@since ", words) }
    # For example "Default: ..." and "Errors: ...".
    if (match(words, /^[A-Z][a-z]+: /))
      return paragraph("@part{" substr(words, 1, RLENGTH - 2) "} ", substr(words, RLENGTH + 1))
  }
  begun = 1; fresh = 0
  return text(words)
}
function paragraph(command, words) { fresh = 0; return command text(words) }
{ line[++lines] = $0 }
END {
  print "/** @file zelf.h The C header of libzelf. */"
  for (n = 2; n <= lines; n++) {
    now = line[n]
    if (now ~ /^\/\* ---- /) {
      title = now; sub(/^\/\* -+ /, "", title); sub(/ -+ \*\/$/, "", title)
      id = "topic_" tolower(title); gsub(/ /, "_", id)
      print (in_section ? "/** @} */ " : "") "/** @defgroup " id " " title "\n@{ */"
      in_section = 1; n++
    } else if (!in_section) {
      print now ~ /^#include/ ? now : ""
    } else if (now ~ /^#ifdef __cplusplus/) {
      print "/** @} */"
      exit
    } else if (now ~ /^\/\*\*/) {
      for (end = n; line[end] !~ /\*\/$/; end++);
      names = parameters(end + 1)
      fresh = 1; listed = begun = 0
      for (; n <= end; n++) {
        words = line[n]
        open = sub(/^\/\*\* ?/, "", words) ? "/** " : " * "
        if (open == " * ") sub(/^ \* ?/, "", words)
        shut = n == end && sub(/ ?\*?\/$/, "", words) ? " */" : ""
        print open (words == "" && (shut != "" || open == "/** ") ? "" : said(words)) shut
      }
      n--
    } else {
      # ZELF_API and other macros for the compiler.
      sub(/^(ZELF_[A-Z_]+( |$))+/, "", now)
      print now
    }
  }
}
