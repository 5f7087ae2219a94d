using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>What one generation of session tickets is protected with (RFC 5077 section 4): AES-256-CBC, then HMAC-SHA-256.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TicketKey
{
    public const int NameLength = 16;
    public const int KeyLength = 32;

    /// <summary>Tells, in each ticket, which key it is under. No secret.</summary>
    public fixed byte Name[NameLength];

    public fixed byte Cipher[KeyLength];
    public fixed byte Mac[KeyLength];
}
