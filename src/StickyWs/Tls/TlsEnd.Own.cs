using System.Security.Cryptography;

namespace StickyWs.Tls;

// Records of TLS 1.3 without an SSL object.
internal sealed unsafe partial class TlsEnd
{
    /// <summary>Records without content in a row: RFC 8446 allows them, section 5.1 warns of them. OpenSSL's limit.</summary>
    public const int MostEmptyRecords = 32;

    /// <summary>
    /// KeyUpdates, and session tickets, without application data between: each costs some 4 us. RFC 8446 has no limit; no peer needs one an idle hour.
    /// </summary>
    public const int MostKeyUpdates = 1000;

    private const byte KeyUpdate = 24;
    private const byte UpdateNotRequested = 0;
    private const byte UpdateRequested = 1;
    private const byte Warning = 1;
    private const byte Fatal = 2;

    private ushort _fragment;
    private ushort _keyUpdates;
    private byte _emptyRecords;

    // Bytes of a KeyUpdate that is split over records. Their values are known: only the last can vary.
    private byte _updateBytes;
    private bool _owesUpdate;

    // A session ticket that is split over records.
    private TicketReader? _ticket;

    private bool IsWithinMessage => _updateBytes > 0 || _ticket is not null;

    private static ReadOnlySpan<byte> UpdateHeader => [KeyUpdate, 0, 0, 1];

    private void StartOwnRecords(RecordSuite suite, int fragment)
    {
        (_keys->Read.Suite, _keys->Write.Suite) = (suite, suite);
        KeySchedule.Derive(&_keys->Read);
        KeySchedule.Derive(&_keys->Write);
        _fragment = (ushort)fragment;
        HasOwnRecords = true;
    }

    private void ReadOwn(Workspace work, ReadOnlySpan<byte> record)
    {
        if (record[0] != (byte)RecordType.ApplicationData)
        {
            // Also ChangeCipherSpec, which is over with the peer's Finished (RFC 8446, section 5).
            Refuse(work, TlsAlert.unexpected_message, $"a record of type {record[0]}");
            return;
        }

        if (Announced(record) > RecordLayer.MostCiphertext)
        {
            Refuse(work, TlsAlert.record_overflow, $"a record of {Announced(record)} bytes");
            return;
        }

        try
        {
            var length = RecordLayer.Open(work, &_keys->Read, record, out var type);
            if (length < 0) Refuse(work, (TlsAlert)(-length), "a record that cannot be opened");
            else if (length > _fragment) Refuse(work, TlsAlert.record_overflow, $"a record of {length} bytes of content");
            else if (IsWithinMessage && type != RecordType.Handshake) Refuse(work, TlsAlert.unexpected_message, "a record within a handshake message");
            else Take(work, type, new ReadOnlySpan<byte>(work.Plain.Reserve(length), length));
            ShowToOpenSsl(work, type, record);
        }
        catch (CryptographicException e)
        {
            Fail(e.Message);
        }
    }

    private void Take(Workspace work, RecordType type, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            case RecordType.ApplicationData when content.IsEmpty:
                CountEmpty(work);
                break;
            case RecordType.ApplicationData:
                (_emptyRecords, _keyUpdates) = (0, 0);
                work.Plain.Advance(content.Length);
                break;
            // No empty records of these types (section 5.4).
            case RecordType.Alert or RecordType.Handshake when content.IsEmpty:
                Refuse(work, TlsAlert.unexpected_message, $"an empty record of type {(int)type}");
                break;
            case RecordType.Alert:
                TakeAlert(work, content);
                break;
            case RecordType.Handshake:
                TakeHandshake(work, content);
                break;
            default:
                Refuse(work, TlsAlert.unexpected_message, $"a sealed record of type {(int)type}");
                break;
        }
    }

    // In TLS 1.3 the description alone tells how grave it is (section 6).
    private void TakeAlert(Workspace work, ReadOnlySpan<byte> alert)
    {
        if (alert.Length != 2) Refuse(work, TlsAlert.decode_error, $"an alert of {alert.Length} bytes");
        else if (alert[1] == (byte)TlsAlert.close_notify) Status = TlsStatus.PeerClosed;
        else if (alert[1] == (byte)TlsAlert.user_canceled) CountEmpty(work);
        else Fail($"The peer sent the alert {alert[1]} ({(TlsAlert)alert[1]}).");
    }

    private void CountEmpty(Workspace work)
    {
        if (++_emptyRecords > MostEmptyRecords) Refuse(work, TlsAlert.unexpected_message, $"more than {MostEmptyRecords} records without content");
    }

    // Of the messages that may follow a handshake, a client that was offered no post-handshake authentication has KeyUpdate alone, and a server that has
    // no word of it has session tickets, too (section 4.6).
    private void TakeHandshake(Workspace work, ReadOnlySpan<byte> message)
    {
        while (!message.IsEmpty && Status == TlsStatus.Open)
        {
            var isTicket = _ticket is not null || (_isClient && _updateBytes == 0 && message[0] == TicketReader.Type);
            message = isTicket ? TakeTicket(work, message) : TakeUpdateByte(work, message);
        }
    }

    private ReadOnlySpan<byte> TakeTicket(Workspace work, ReadOnlySpan<byte> message)
    {
        _ticket ??= new TicketReader();
        var read = _ticket.Read(message);
        if (read < 0)
        {
            Refuse(work, TlsAlert.decode_error, "a malformed session ticket");
            return [];
        }

        if (_ticket.IsDone)
        {
            _ticket = null;
            CountMessage(work);
        }

        return message[read..];
    }

    private ReadOnlySpan<byte> TakeUpdateByte(Workspace work, ReadOnlySpan<byte> message)
    {
        var each = message[0];
        if (_updateBytes < UpdateHeader.Length)
        {
            if (each == UpdateHeader[_updateBytes]) _updateBytes++;
            else if (_updateBytes == 0) Refuse(work, TlsAlert.unexpected_message, $"a handshake message of type {each}");
            else Refuse(work, TlsAlert.decode_error, "a KeyUpdate of another length");
        }
        else if (message.Length > 1)
        {
            // A key change falls on the end of a record (section 5.1).
            Refuse(work, TlsAlert.unexpected_message, "bytes behind a KeyUpdate");
        }
        else if (each is not (UpdateNotRequested or UpdateRequested))
        {
            Refuse(work, TlsAlert.illegal_parameter, $"a KeyUpdate with the request {each}");
        }
        else
        {
            TakeUpdate(work, each == UpdateRequested);
        }

        return message[1..];
    }

    // Ours is sent with the next data, as section 4.6.3 asks, and not into a writer's queue that may be blocked.
    private void TakeUpdate(Workspace work, bool isRequested)
    {
        _updateBytes = 0;
        CountMessage(work);
        if (Status == TlsStatus.Failed) return;
        KeySchedule.Update(&_keys->Read);
        work.Forget();
        _owesUpdate |= isRequested;
    }

    private void CountMessage(Workspace work)
    {
        if (++_keyUpdates > MostKeyUpdates) Refuse(work, TlsAlert.unexpected_message, $"more than {MostKeyUpdates} KeyUpdates or tickets without data");
    }

    private void SealOwn(Workspace work, ReadOnlySpan<byte> plain)
    {
        try
        {
            while (!plain.IsEmpty)
            {
                if ((_owesUpdate || _keys->Write.Sequence >= _recordsPerKey) && !TryUpdate(work)) return;
                var length = Math.Min(plain.Length, _fragment);
                if (!TrySeal(work, RecordType.ApplicationData, plain[..length])) return;
                plain = plain[length..];
            }
        }
        catch (CryptographicException e)
        {
            Fail(e.Message);
        }
    }

    private void CloseOwn(Workspace work)
    {
        try
        {
            _ = TrySeal(work, RecordType.Alert, [Warning, (byte)TlsAlert.close_notify]);
        }
        catch (CryptographicException e)
        {
            Fail(e.Message);
        }
    }

    private bool TryUpdate(Workspace work)
    {
        if (!TrySeal(work, RecordType.Handshake, [.. UpdateHeader, UpdateNotRequested])) return false;
        KeySchedule.Update(&_keys->Write);
        work.Forget();
        _owesUpdate = false;
        return true;
    }

    private bool TrySeal(Workspace work, RecordType type, ReadOnlySpan<byte> content)
    {
        if (RecordLayer.TrySeal(work, &_keys->Write, type, content)) return true;
        Fail("No record number is left.");
        return false;
    }

    /// <summary>Gives the connection up for a reason that is the owner's, such as a certificate.</summary>
    /// <returns>The alert to send; empty where OpenSSL goes on with the records, as it has no call for it.</returns>
    public ReadOnlySpan<byte> Refuse(TlsAlert alert, string reason)
    {
        var work = Workspace.StartSealing();
        if (_isDisposed || Status is not (TlsStatus.Open or TlsStatus.PeerClosed)) return [];
        if (HasOwnRecords && !_isClosed) _ = RecordLayer.TrySeal(work, &_keys->Write, RecordType.Alert, [Fatal, (byte)alert]);
        Fail(reason);
        return work.ToPeer.Written;
    }

    private void Refuse(Workspace work, TlsAlert alert, string what)
    {
        var keys = &_keys->Write;
        // Nothing may follow our close_notify.
        if (!_isClosed) _ = RecordLayer.TrySeal(work, keys, RecordType.Alert, [Fatal, (byte)alert]);
        Fail($"The peer sent {what}: {alert}.");
    }
}
