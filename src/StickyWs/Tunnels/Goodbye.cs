using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>The word with which the balancer itself ends a tunnel: a Close frame to either side (RFC 6455 section 5.5.1).</summary>
/// <param name="Code">The status code of the frame (RFC 6455 section 7.4).</param>
/// <param name="Reason">Its text; at most 123 bytes of UTF-8.</param>
/// <param name="End">The tunnel's end reason.</param>
/// <param name="CloseTimeout">How long the Close frames of the peers are waited for.</param>
internal sealed record Goodbye(ushort Code, string Reason, EndReason End, TimeSpan CloseTimeout)
{
    /// <summary>What a pool's options say.</summary>
    public static Goodbye Of(DrainOptions options, EndReason end) => new((ushort)options.CloseCode, options.CloseReason, end, options.CloseTimeout);
}
