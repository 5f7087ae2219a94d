namespace StickyWs.Reactors;

/// <summary>Is told when a socket becomes ready. Called on the reactor's thread; must not block it.</summary>
internal interface IWatcher
{
    void Signal(Signals signals);
}
