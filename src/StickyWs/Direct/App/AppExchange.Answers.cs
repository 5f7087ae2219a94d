using System.IO.Pipelines;
using StickyWs.Http1;

namespace StickyWs.Direct;

// Answers of the app: they pass as they are, and are counted.
internal sealed partial class AppExchange
{
    // Kestrel has no limit of its own.
    private const int MostHeadBytes = 256 * 1024;

    private readonly Action _wake;
    private ValueTask<ReadResult> _reading;
    private bool _isReading;
    private bool _isAwaited;
    private Carry _head;
    private int _searched;
    private BodyCounter _answer;
    private bool _isHead;
    private bool _hasHead;
    private bool _isOdd;
    private bool _drops;

    // Whether everything that Kestrel has written was passed on.
    private bool IsDrained => _isReading && !_reading.IsCompleted;

    // Whether an end of the connection now leaves the client without the end of its answer.
    private bool IsCut => _isUnderWay && !_isOdd && (_hasHead ? !_answer.IsDone && !_answer.IsOpen : !_head.IsEmpty);

    private void BeginAnswer(bool isHead)
    {
        (_searched, _answer, _isHead) = (0, default, isHead);
        (_hasHead, _isOdd, _drops, _isLost) = (false, false, false, false);
    }

    private void Look()
    {
        while (!_isOver)
        {
            if (!_isReading)
            {
                if (_client.IsFull) break;
#pragma warning disable CA2012 // Kept until it is complete, and then used once.
                (_reading, _isReading, _isAwaited) = (_connection.Answers.ReadAsync(), true, false);
#pragma warning restore CA2012
            }

            if (!_reading.IsCompleted)
            {
                if (!_isAwaited) _reading.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_wake);
                _isAwaited = true;
                break;
            }

            _isReading = false;
            Take();
        }

        LookForEnd();
    }

    private void Take()
    {
        ReadResult read;
        try
        {
            read = _reading.Result;
        }
#pragma warning disable CA1031 // The exception that a middleware completed its output with.
        catch (Exception)
#pragma warning restore CA1031
        {
            Leave(isBroken: true);
            return;
        }

        foreach (var part in read.Buffer)
        {
            if (!part.IsEmpty) Pass(part.Span);
        }

        if (_isOver) return;
        _connection.Answers.AdvanceTo(read.Buffer.End);
        if (read.IsCompleted) Leave(isBroken: IsCut);
        else if (!_isUnderWay && !read.Buffer.IsEmpty) Leave(isBroken: false); // Nobody has asked for anything.
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        if (!_isUnderWay || _drops) return;
        if (_isOdd) _client.Send(bytes);
        else if (_hasHead) PassBody(bytes, 0);
        else PassHeads(bytes);
    }

    private void PassHeads(ReadOnlySpan<byte> bytes)
    {
        var isKept = !_head.IsEmpty;
        if (isKept) _head.Add(bytes);
        if (isKept) bytes = _head.Bytes;
        while (!bytes.IsEmpty && !_hasHead && !_isOdd)
        {
            var verdict = DirectAnswerParser.Parse(bytes, MostHeadBytes, ref _searched, _isHead, out var answer);
            if (verdict == AnswerVerdict.Incomplete)
            {
                if (isKept) _head.Drop(_head.Length - bytes.Length);
                else _head.Add(bytes);
                return;
            }

            _searched = 0;
            if (verdict == AnswerVerdict.Informational)
            {
                _client.Send(bytes[..answer.HeadLength]);
                bytes = bytes[answer.HeadLength..];
                continue;
            }

            _isOdd = verdict == AnswerVerdict.Bad;
            _hasHead = true;
            _answer = BodyCounter.Of(answer, MostHeadBytes);
            if (_isOdd) _client.Send(bytes);
            else PassBody(bytes, answer.HeadLength);
        }

        _head.Clear();
    }

    // An app may frame its body itself, and fail: then nobody knows where it ends. What follows an answer is not passed on, as it answers nothing.
    private void PassBody(ReadOnlySpan<byte> bytes, int start)
    {
        var length = start + _answer.Take(bytes[start..], out var fault);
        _isOdd = fault != BodyFault.None || length < bytes.Length;
        _drops = _isOdd && fault == BodyFault.None;
        _client.Send(fault == BodyFault.None ? bytes[..length] : bytes);
    }
}
