namespace StickyWs.Reactors;

/// <summary>A watched socket that its owner has given to the reactor.</summary>
/// <param name="Fd">Its descriptor.</param>
/// <param name="Number">The reactor's number of it.</param>
/// <param name="IsDrained">Whether all was received that it has reported.</param>
internal readonly record struct WatchedSocket(int Fd, int Number, bool IsDrained);
