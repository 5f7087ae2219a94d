namespace StickyWs.Reactors;

/// <summary>A watched socket that its owner hands over to the reactor.</summary>
/// <param name="Fd">The descriptor.</param>
/// <param name="Number">The reactor's number for the socket.</param>
/// <param name="IsDrained">Whether everything that it reported has been received.</param>
internal readonly record struct WatchedSocket(int Fd, int Number, bool IsDrained);
