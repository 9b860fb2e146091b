#include "openapi.h"

// C23's #embed, which clang has for older C too: the program is one file, and the document is compiled in as it is.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char bytes[] = {
#embed "openapi.json"
};

const unsigned char *const api_document_bytes = bytes;
const unsigned long api_document_count = sizeof bytes;
