/* Every error that a function of libsmc can return: one negative enum and its texts.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_ERROR_H
#define SMC_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* Functions return 0 or a count on success and one of these on failure; the header of each function
 * names those it can return. The numbers are part of the interface: append, never renumber.
 * What a peer may cause (MALFORMED, PROTOCOL, RESET …) is never an assertion.
 *
 *   X(name, number, text) */
#define SMC_ERROR_LIST(X)                                                                          \
    X(NOMEM, -1, "out of memory")                                                                  \
    X(ARGUMENT, -2, "argument not allowed")                                                        \
    X(STATE, -3, "not possible in the present state")                                              \
    X(REENTERED, -4, "called from within a callback that must not call this")                      \
    X(UNSUPPORTED, -5, "not supported by this device or peer")                                     \
    X(NOSPACE, -6, "no free entry left (DMB, queue slot, client)")                                 \
    X(BUSY, -7, "still in use")                                                                    \
    X(EXISTS, -8, "exists already")                                                                \
    X(NOTFOUND, -9, "unknown token, index, number or name")                                        \
    X(PERMISSION, -10, "not owned by, or not open to, the caller")                                 \
    X(RANGE, -11, "offset and length reach beyond the memory")                                     \
    X(UNREACHABLE, -12, "peer cannot be reached over this device")                                 \
    X(GONE, -13, "device or link is going away")                                                   \
    X(IO, -14, "device failed to carry out the operation")                                         \
    X(WOULDBLOCK, -15, "nothing to read, or no room to write, at the moment")                      \
    X(TIMEOUT, -16, "no answer in time")                                                           \
    X(MALFORMED, -17, "message cannot be decoded")                                                 \
    X(PROTOCOL, -18, "peer broke a rule of the protocol")                                          \
    X(DECLINED, -19, "SMC declined; the connection goes on as TCP")                                \
    X(RESET, -20, "connection aborted")                                                            \
    X(CLOSED, -21, "connection or direction closed")

enum smc_error {
    SMC_OK = 0,
#define SMC_ERROR_ENUM(name, number, text) SMC_ERR_##name = (number),
    SMC_ERROR_LIST(SMC_ERROR_ENUM)
#undef SMC_ERROR_ENUM
};

/* One lower-case sentence without a full stop, for people. Any value is allowed: 0 gives "success",
 * a number that is no error of libsmc gives "unknown error". Static memory, never NULL. */
const char *smc_error_text(int error);

/* The constant's name, such as "SMC_ERR_NOMEM", for logs and tests; "SMC_OK" for 0, NULL for a number
 * that is neither. Static memory. */
const char *smc_error_name(int error);

#ifdef __cplusplus
}
#endif

#endif
