using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>What a valid cookie says.</summary>
/// <param name="Pin">Who the client is.</param>
/// <param name="Backend">The name of the backend that has its state.</param>
/// <param name="IsDue">Whether it should be issued anew although nothing has changed.</param>
internal readonly record struct ClientCookie(PinKey Pin, string Backend, bool IsDue);
