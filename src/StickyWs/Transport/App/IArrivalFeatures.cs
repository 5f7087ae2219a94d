using Microsoft.AspNetCore.Connections;

namespace StickyWs.Transport;

/// <summary>What is known of a client's connection from its arrival, for the connections to the app that stand for it.</summary>
internal interface IArrivalFeatures
{
    /// <summary>Sets the features that the client's own connection would have, had it gone to Kestrel.</summary>
    void SetOn(ConnectionContext connection);
}
