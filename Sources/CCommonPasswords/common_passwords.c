#include "common_passwords.h"

// C23's #embed, which clang has for older C too: the program is one file.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char bytes[] = {
#embed "common-passwords.bin"
};

const unsigned char *const common_passwords_bytes = bytes;
const unsigned long common_passwords_count = sizeof bytes;
