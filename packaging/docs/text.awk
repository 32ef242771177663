# Functions for the other scripts: they escape text for Doxygen, and add links.
BEGIN {
  # Collects every name that a section of the header declares.
  while ((getline found < "include/zelf.h") > 0) {
    if (found ~ /^\/\* ---- /) found_section = 1
    if (!found_section) continue
    if (found ~ /^#define ZELF_[A-Z0-9_]+ /) { split(found, parts, " "); declared[parts[2]] = 1 }
    if (found ~ /^typedef /) {
      sub(/\)\(.*|;$/, "", found); sub(/.*[ *]/, "", found); declared[found] = 1
    }
    if (found ~ /^(ZELF_[A-Z_]+ )*[a-z].*zelf_[a-z0-9_]*\(/ && match(found, /zelf_[a-z0-9_]*\(/))
      declared[substr(found, RSTART, RLENGTH - 1)] = 1
  }
}
function text(words,   page, i) {
  words = with_links(escaped(words))
  split("guide errors abi", page, " ")
  for (i in page) gsub("docs/" page[i] "[.]md", "[docs/" page[i] ".md](@ref " page[i] ")", words)
  return words
}
# Between quotes Doxygen prints all characters, including a \ before one. \" does not end a
# quotation for it, so a quotation with a \ gets other quotes.
function escaped(words,   count, part, i, quote, all) {
  count = split(words, part, "\"")
  words = ""
  for (i = 1; i <= count; i++) {
    all = i % 2 || index(part[i], "\\")
    quote = i % 2 ? "" : all ? "&quot;" : "\""
    if (all) gsub(/[\\*#%@<>&]/, "\\\\&", part[i])
    # A quotation may continue on the next line.
    words = words quote part[i] (i < count ? quote : "")
  }
  # A number at the beginning of a line must not become an item of a list.
  if (match(words, /^ *[0-9]+\. /)) words = substr(words, 1, RLENGTH - 2) "\\" substr(words, RLENGTH - 1)
  return words
}
# Makes each declared name a link to its description.
function with_links(words,   done, name, before) {
  while (match(words, /[A-Za-z_][A-Za-z0-9_]*/)) {
    name = substr(words, RSTART, RLENGTH)
    before = substr(done substr(words, 1, RSTART - 1), length(done) + RSTART - 1, 1)
    done = done substr(words, 1, RSTART - 1) (name in declared && before !~ /["#\/]/ ? "#" : "") name
    words = substr(words, RSTART + RLENGTH)
  }
  return done words
}
