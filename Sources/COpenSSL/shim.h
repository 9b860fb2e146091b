// OpenSSL 3, and what of it is macros. Wrappers only.
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

static inline int copenssl_set_minimum_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline void copenssl_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

// ALPN (RFC 7301): http/1.1, and a fatal alert for who offers something else only.
static int copenssl_select_http11(
    SSL *session, const unsigned char **chosen, unsigned char *length, const unsigned char *offered,
    unsigned int offered_length, void *unused) {
    static const unsigned char ours[] = "\x08http/1.1";
    (void)session;
    (void)unused;
    unsigned char *match = 0;
    if (SSL_select_next_proto(&match, length, ours, sizeof(ours) - 1, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = match;
    return SSL_TLSEXT_ERR_OK;
}

static inline void copenssl_offer_http11(SSL_CTX *context) {
    SSL_CTX_set_alpn_select_cb(context, copenssl_select_http11, 0);
}

// Sessions that one context issued tickets for are resumed by the other.
static inline int copenssl_copy_ticket_keys(SSL_CTX *from, SSL_CTX *to) {
    unsigned char keys[80];
    long length = SSL_CTX_get_tlsext_ticket_keys(from, 0, 0);
    if (length <= 0 || (size_t)length > sizeof(keys)) return 0;
    int done = SSL_CTX_get_tlsext_ticket_keys(from, keys, length) == 1 &&
               SSL_CTX_set_tlsext_ticket_keys(to, keys, length) == 1;
    OPENSSL_cleanse(keys, sizeof(keys));
    return done;
}

// When the certificate of a context ends, in seconds since 1970; 0 where it does not say so.
static inline int64_t copenssl_not_after(SSL_CTX *context) {
    X509 *certificate = SSL_CTX_get0_certificate(context);
    struct tm time;
    if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
    return (int64_t)timegm(&time);
}
