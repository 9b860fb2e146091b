#pragma once

/// The OpenAPI document of the program's routes, UTF-8.
extern const unsigned char *const api_document_bytes;
/// How many bytes it has.
extern const unsigned long api_document_count;
