using System.Net;
using StickyWs.Kernel;

namespace StickyWs.Transport;

/// <summary>The identity of a TCP connection, which pins a tunnel to its backend for its lifetime: the client's address and port, and ours.</summary>
internal readonly record struct ConnectionTuple(RawAddress Source, RawAddress Destination)
{
    public IPAddress SourceAddress => Source.Address;

    public override string ToString() => $"{Source} -> {Destination}";
}

/// <summary>Reads addresses from Kestrel's end points.</summary>
internal static class EndPoints
{
    /// <summary><see langword="null"/> where there is none (unix sockets).</summary>
    public static IPAddress? ToAddress(EndPoint? endPoint) => (endPoint as IPEndPoint)?.Address;

    public static ConnectionTuple? ToTuple(EndPoint? source, EndPoint? destination)
        => source is IPEndPoint from && destination is IPEndPoint to ? new ConnectionTuple(new RawAddress(from), new RawAddress(to)) : null;
}
