using System.Net;

namespace StickyWs.Forwarding;

/// <summary>What the balancer itself knows of the client; it is this that goes into <c>X-Forwarded-*</c>.</summary>
/// <param name="Address">The peer of the client's connection; <see langword="null"/> where there is none (in-memory servers, unix sockets).</param>
/// <param name="Scheme"><c>http</c> or <c>https</c>, as the client spoke with us.</param>
internal readonly record struct ClientInfo(IPAddress? Address, string Scheme)
{
    /// <summary>Whether the forwarded headers of the head are the application's own, and the client's were left out.</summary>
    public bool IsOfApplication { get; init; }
}
