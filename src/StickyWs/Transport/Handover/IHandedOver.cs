using System.Net;
using Microsoft.AspNetCore.Connections;

namespace StickyWs.Transport;

/// <summary>A connection that one listener leaves to the next.</summary>
internal interface IHandedOver
{
    /// <summary>Presents it to Kestrel as a connection of another listener.</summary>
    ConnectionContext Adopt(ListenerTerm term, EndPoint local);

    /// <summary>Ends it where no listener takes it, and disposes of it.</summary>
    void Drop();
}
