namespace StickyWs.Reactors;

/// <summary>Whoever wants to know when a socket has become ready. Told on the reactor's thread, which must not be held up.</summary>
internal interface IWatcher
{
    void Signal(Signals signals);
}
