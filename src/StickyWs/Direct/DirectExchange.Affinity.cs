using System.Text;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Http1;

namespace StickyWs.Direct;

// Pools with affinity rules: the same rules as in the pipeline, on a copy of the client's head.
internal sealed partial class DirectExchange
{
    // Room for what is added to a head: the client's pin, and what a span is passed on by.
    private const int Addition = 16 * 1024;

    private bool IsSticky => _pool.Options.Affinity.Rules.Count > 0;

    // The rules of the pipeline do not see the headers that a client disowns in Connection: such a request is left to them.
    private bool TryDecide(in DirectRequest request, ReadOnlySpan<byte> head)
    {
        if (!IsSticky) return true;
        if (request.NamesHeaders) return false;
        var copy = new RequestHead(head.ToArray(), request.LineLength, request.Host(head), [], isPlain: true);
        _decision = _services.Dispatcher.Decide(_pool, new RequestView(copy, client.Peer.Address, client.IsHttps, request.HasBody));
        return _decision is not null;
    }

    // What is learnt from the answer's head, and what the client is told besides it.
    private ReadOnlySpan<byte> Settle(in DirectAnswer answer, ReadOnlySpan<byte> head)
    {
        if (_decision is not { IsSticky: true } decision) return default;
        var settling = decision.SettleAsync(new DirectAnswerHead(head.ToArray(), answer));
        if (!settling.IsCompletedSuccessfully) return default; // Only the shared store makes it wait, and its pools are not direct.
        var marks = settling.Result;
        if (marks == default) return default;
        return Encoding.Latin1.GetBytes(marks.AddTo("", answer.Status, static (lines, name, value) => $"{lines}{name}: {value}\r\n"));
    }
}
