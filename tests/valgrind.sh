# Sourced: $valgrind checks a program's memory, as the README tells the library's users to.
valgrind="valgrind -q --leak-check=full --suppressions=packaging/zelf.supp"
