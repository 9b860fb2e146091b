// A target of C needs a source; this one has declarations only.
#include "CFuzzer.h"
