using System.Net;
using System.Net.Sockets;

namespace StickyWs.Forwarding;

/// <summary>A peer's address as it goes into <c>X-Forwarded-For</c>.</summary>
internal static class PeerAddress
{
    /// <summary>IPv4 as IPv4 even where the socket is dual-stack, IPv6 without a zone, which means nothing on another machine.</summary>
    public static string Text(IPAddress peer)
    {
        if (peer.IsIPv4MappedToIPv6) return peer.MapToIPv4().ToString();
        return peer is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(peer.GetAddressBytes()).ToString() : peer.ToString();
    }
}
