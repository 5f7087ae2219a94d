using System.Net.Sockets;

namespace StickyWs.Transport;

/// <summary>The <see cref="DescriptorBudget"/> has no descriptor left for a connection, and has logged that.</summary>
internal sealed class NoDescriptorException() : SocketException((int)SocketError.TooManyOpenSockets);
