/* What a library between a program and libzelf declares. */
const char *middle_version(void);
