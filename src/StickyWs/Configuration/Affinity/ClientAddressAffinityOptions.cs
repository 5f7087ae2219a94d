namespace StickyWs.Configuration;

/// <summary>
/// Hashes the client's network. For a trusted proxy (<see cref="StickyWsOptions.TrustedProxies"/>) that is the client address it forwards, otherwise
/// the address of the connection.
/// </summary>
public sealed class ClientAddressAffinityOptions
{
    /// <summary>How many leading bits of an IPv4 address count. Range 1 to 32; default 32, the whole address.</summary>
    [NumberRange(1, 32)]
    public int IPv4PrefixLength { get; set; } = 32;

    /// <summary>How many leading bits of an IPv6 address count. Range 1 to 128; default 64, because clients change the rest at will (RFC 8981).</summary>
    [NumberRange(1, 128)]
    public int IPv6PrefixLength { get; set; } = 64;
}
