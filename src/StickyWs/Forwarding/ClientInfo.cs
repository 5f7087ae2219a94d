using System.Net;
using System.Text;

namespace StickyWs.Forwarding;

/// <summary>What the balancer itself knows of the client; it is this that goes into <c>X-Forwarded-*</c>.</summary>
/// <param name="Address">The peer of the client's connection; <see langword="null"/> where there is none (in-memory servers, unix sockets).</param>
/// <param name="Scheme"><c>http</c> or <c>https</c>, as the client spoke with us.</param>
internal readonly record struct ClientInfo(IPAddress? Address, string Scheme)
{
    /// <summary>Names of forwarded headers whose values are the application's own, not the client's.</summary>
    public IReadOnlyCollection<string>? Application { get; init; }

    public bool IsOfApplication(ReadOnlySpan<byte> name)
    {
        if (Application is not { Count: > 0 } names) return false;
        foreach (var one in names)
        {
            if (Ascii.EqualsIgnoreCase(name, one)) return true;
        }

        return false;
    }
}
