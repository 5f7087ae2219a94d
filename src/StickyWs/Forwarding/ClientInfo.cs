using System.Net;

namespace StickyWs.Forwarding;

/// <summary>What the balancer itself knows about the client; the source of <c>X-Forwarded-*</c>.</summary>
/// <param name="Address">The peer of the client's connection; <see langword="null"/> where there is none (in-memory servers, unix sockets).</param>
/// <param name="Scheme"><c>http</c> or <c>https</c>, as used between the client and this process.</param>
internal readonly record struct ClientInfo(IPAddress? Address, string Scheme)
{
    /// <summary>Whether the forwarded headers in the head were set by the application, and the client's were left out.</summary>
    public bool IsOfApplication { get; init; }
}
