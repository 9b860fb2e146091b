#pragma once

/// The passwords that are most used: the 10,000 that are most used of all, and those of the 30,000 most used that are
/// long enough for this server. Each is the first four bytes of the SHA-256 of its UTF-8 text in small letters, one
/// behind the other in rising order. A text that is not among them is taken for one about once in 400,000 times.
///
/// Made by scripts/make-common-passwords from the list of zxcvbn 4.5.0 for Python (MIT; Copyright 2016 Daniel Wolf),
/// which is ranked by how often each was found in leaks.
extern const unsigned char *const common_passwords_bytes;

/// How many bytes there are.
extern const unsigned long common_passwords_count;
