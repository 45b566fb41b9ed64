"""The options of the compiler, which print nothing here."""


class CompilerOptions:
    verbose = False
    show_resource_count = False
    log_resource_count = False
