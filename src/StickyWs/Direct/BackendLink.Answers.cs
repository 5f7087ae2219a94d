using StickyWs.Http1;

namespace StickyWs.Direct;

// The answer, as it comes.
internal sealed partial class BackendLink
{
    // As the HTTP client's limit (SocketsHttpHandler.MaxResponseHeadersLength): of one head, and of all interim heads together.
    private const int MostHeadBytes = 64 * 1024;

    private const int Continue = 100;
    private const int LeastRefusal = 300;
    private const long Second = 1000;

    private int _searched;
    private BodyCounter _body;
    private int _interimBytes;
    private bool _hasContinue;

    private void TakeHeads(DirectExchange exchange, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var verdict = DirectAnswerParser.Parse(bytes, MostHeadBytes, ref _searched, exchange.IsHead, out var answer);
            if (verdict == AnswerVerdict.Incomplete)
            {
                _carry.Add(bytes);
                return;
            }

            if (verdict == AnswerVerdict.Bad)
            {
                Fail(exchange, AnswerEnd.Bad);
                return;
            }

            _searched = 0;
            if (verdict == AnswerVerdict.Informational)
            {
                var head = bytes[..answer.HeadLength];
                bytes = bytes[answer.HeadLength..];
                if ((_interimBytes += head.Length) > MostHeadBytes)
                {
                    Fail(exchange, AnswerEnd.Bad);
                    return;
                }

                _hasContinue |= answer.Status == Continue;
                exchange.PassInterim(answer, head);
                if (_exchange != exchange) return;
                continue;
            }

            TakeAnswer(exchange, answer, bytes);
            return;
        }
    }

    private void TakeAnswer(DirectExchange exchange, in DirectAnswer answer, ReadOnlySpan<byte> bytes)
    {
        _hasHead = true;
        NoteHead(exchange, answer);
        _body = BodyCounter.Of(answer, MostHeadBytes);
        var length = answer.HeadLength + _body.Take(bytes[answer.HeadLength..], out var fault);
        exchange.PassAnswer(answer, bytes[..length]);
        GoOn(exchange, fault, isWhole: length == bytes.Length);
    }

    // A backend that answers without a 100, or refuses what it has not seen, may count the body or not: what follows could be another request to it.
    private void NoteHead(DirectExchange exchange, in DirectAnswer answer)
    {
        var mayNotCount = exchange.ExpectsContinue && !_hasContinue;
        var isEarly = !exchange.IsReceived && (mayNotCount || answer.Status >= LeastRefusal);
        _keeps = answer.KeepAlive && !mayNotCount && !isEarly;
        _isRefused = answer.Status >= LeastRefusal && (mayNotCount || isEarly);
        if (isEarly) exchange.EndEarly();
        _isKeptFor = answer.KeepAliveSeconds < 0 ? long.MaxValue : (answer.KeepAliveSeconds - 1) * Second; // A second less, for what is under way.
    }

    private void TakeBody(DirectExchange exchange, ReadOnlySpan<byte> bytes)
    {
        var count = _body.Take(bytes, out var fault);
        exchange.PassBody(bytes[..count]);
        GoOn(exchange, fault, isWhole: count == bytes.Length);
    }

    private void GoOn(DirectExchange exchange, BodyFault fault, bool isWhole)
    {
        if (_exchange != exchange) return;
        if (fault != BodyFault.None) Fail(exchange, AnswerEnd.Broken);
        else if (_body.IsDone) Complete(exchange, isWhole);
    }

    // The rest of the request may still be wanted, unless somebody has announced the end.
    private void Complete(DirectExchange exchange, bool isWhole)
    {
        _isAnswered = isWhole && _keeps && !exchange.IsReceived && !exchange.Closes;
        if (_isAnswered) exchange.AnswerIsWhole();
        else Finish(exchange, isWhole);
    }
}
