# Prints a Markdown document as the page ID (-v id=ID). Its links lead to pages of the site, and
# names outside of code become links.
NR == 1 { print $0 " {#" id "}"; next }
/^```/ { in_code = !in_code }
in_code || /^    / || /^```/ { print; next }
/^##/ { print $0 " {#" id label(substr($0, index($0, " ") + 1)) "}"; next }
{
  $0 = with_pages($0)
  # Doxygen makes a link of a scheme alone, even in backquotes.
  gsub(/:\/\/`/, ":`<code>//</code>")
  # Doxygen makes no links in backquotes.
  while (match($0, /`(zelf|ZELF)_[A-Za-z0-9_]*`/))
    $0 = substr($0, 1, RSTART - 1) "<code>" substr($0, RSTART + 1, RLENGTH - 2) "</code>" substr($0, RSTART + RLENGTH)
  count = split($0, part, "`")
  for (i = 1; i <= count; i++) printf "%s", (i > 1 ? "`" : "") (i % 2 ? with_links(part[i]) : part[i])
  print ""
}
# Returns the name of a heading for links to it, in the characters that Doxygen allows.
function label(title) {
  title = tolower(title)
  gsub(/[^a-z0-9 _-]/, "", title); gsub(/[ -]/, "_", title)
  return "_" title
}
function with_pages(words,   done, link, name, url, to) {
  while (match(words, /\[[^]]*\]\([^)]*\)/)) {
    done = done substr(words, 1, RSTART - 1)
    link = substr(words, RSTART, RLENGTH); words = substr(words, RSTART + RLENGTH)
    name = substr(link, 2, index(link, "](") - 2)
    url = substr(link, index(link, "](") + 2); sub(/\)$/, "", url)
    to = page_of(url)
    # Doxygen shows backquotes in a link. The title of a page has no file extension.
    if (to ~ /^@ref/) { gsub(/`/, "", name); sub(/\.md$/, "", name) }
    done = done (to == "" ? name : "[" name "](" to ")")
  }
  return done words
}
# Returns the page for a link. It is empty for a file that is not a page of the site.
function page_of(url,   part, file) {
  if (url ~ /:\/\//) return url
  if (match(url, /#.*/)) { part = label(substr(url, RSTART + 1)); url = substr(url, 1, RSTART - 1) }
  file = url
  sub(/.*\//, "", file)
  if (url == "") return "@ref " id part
  if (file ~ /^(guide|errors|abi)\.md$/) { sub(/\.md$/, "", file); return "@ref " file part }
  if (url ~ /examples-c\/[a-z_]*\.c$/) { sub(/\.c$/, "", file); return "@ref example_" file }
  return file == "zelf.h" ? "@ref zelf.h" : ""
}
