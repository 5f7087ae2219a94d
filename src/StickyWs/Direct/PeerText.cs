using System.Net;
using System.Text;
using StickyWs.Forwarding;

namespace StickyWs.Direct;

/// <summary>The address of a client's peer as <c>X-Forwarded-For</c> has it, made once for a connection.</summary>
internal sealed class PeerText(IPAddress peer)
{
    private readonly byte[] _bytes = Encoding.ASCII.GetBytes(PeerAddress.Text(peer));

    public IPAddress Address => peer;

    public ReadOnlySpan<byte> Bytes => _bytes;

    public override string ToString() => Encoding.ASCII.GetString(_bytes);
}
