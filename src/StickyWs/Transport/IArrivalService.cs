namespace StickyWs.Transport;

/// <summary>Serves the connections of a listener from their accept, before Kestrel knows of them.</summary>
internal interface IArrivalService
{
    /// <summary>Serves a connection that was just accepted, on its reactor's thread.</summary>
    /// <returns>Whether Kestrel is to go on with it; if not, it is over, or its socket was detached.</returns>
    ValueTask<bool> ServeAsync(RawConnection connection);
}
