using System.Net;

namespace StickyWs.State;

/// <summary>What names a TCP connection.</summary>
/// <param name="source">Who connected.</param>
/// <param name="destination">To whom.</param>
public sealed class TunnelTuple(IPEndPoint source, IPEndPoint destination)
{
    /// <summary>Who connected.</summary>
    public IPEndPoint Source { get; } = source;

    /// <summary>To whom.</summary>
    public IPEndPoint Destination { get; } = destination;

    /// <inheritdoc/>
    public override string ToString() => $"{Source} -> {Destination}";
}
