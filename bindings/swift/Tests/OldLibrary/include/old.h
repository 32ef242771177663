const char *zelf_version(void);
