namespace StickyWs.Tls;

/// <summary>Whether a client's certificate is accepted, or why not: the numbers are OpenSSL's (<c>X509_V_ERR_*</c>), which makes the alert of it.</summary>
internal enum ClientCertificateVerdict
{
    Accepted = 0,
    Expired = 10,
    UnknownAuthority = 20,
    Revoked = 23,
    WrongPurpose = 26,
    Rejected = 28,
}
