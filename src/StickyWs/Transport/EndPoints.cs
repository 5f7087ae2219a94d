using System.Net;
using StickyWs.Kernel;

namespace StickyWs.Transport;

/// <summary>The tuple of a connection that Kestrel knows by its end points.</summary>
internal static class EndPoints
{
    public static ConnectionTuple? ToTuple(EndPoint? source, EndPoint? destination)
        => source is IPEndPoint from && destination is IPEndPoint to ? new ConnectionTuple(new RawAddress(from), new RawAddress(to)) : null;
}
