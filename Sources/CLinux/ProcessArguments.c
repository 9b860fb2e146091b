// Hands the arguments of the process to Swift's runtime as the kernel has put them on the stack.
//
// By itself, the runtime of a static binary looks for them in front of the environment, where it finds none when
// somebody's constructor (of a library in LD_PRELOAD, for example) has called setenv(3) before: that moves the
// environment elsewhere. A command would then be one without arguments.
//
// glibc calls constructors with the arguments of main (elf/dl-init.c and csu/libc-start.c). They need no /proc, and are
// the same whatever else a library does.

// Where Swift's runtime takes an argument vector other than its own (stdlib/public/stubs/CommandLine.cpp).
void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count);

__attribute__((constructor)) static void hand_over_arguments(int count, char **arguments) {
    _swift_stdlib_overrideUnsafeArgvArgc(arguments, count);
}
