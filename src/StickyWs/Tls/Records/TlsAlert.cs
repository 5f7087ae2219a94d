namespace StickyWs.Tls;

/// <summary>AlertDescription (RFC 8446, section 6), by its own names.</summary>
internal enum TlsAlert : byte
{
    close_notify = 0,
    unexpected_message = 10,
    bad_record_mac = 20,
    record_overflow = 22,
    handshake_failure = 40,
    illegal_parameter = 47,
    decode_error = 50,
    internal_error = 80,
    user_canceled = 90,
    unrecognized_name = 112,
}
